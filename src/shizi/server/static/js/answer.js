// What the server answered: an answer with lines, or a failure; in whichever form it came.

const CODE_BY_STATUS = {
  401: "unauthorized", 403: "forbidden", 404: "not_found", 405: "method_not_allowed",
  408: "deadline", 413: "too_large", 415: "unsupported", 429: "rate_limited", 500: "error",
  502: "unreachable", 503: "busy", 504: "deadline",
};

// For these the status says more to a person than any code of the body.
const STATUS_FIRST = new Set([401, 403, 429]);

// Gives {answer} or {failure}, from a status, a body and a way to ask for headers.
export function toOutcome(status, body, header) {
  const content = parse(body);
  if (status < 300 && content?.success === true && Array.isArray(content.results)) {
    return { answer: content };
  }
  return { failure: toFailure(status, content, header) };
}

export function failureOf(code) {
  return { code, status: 0, message: "", advice: "", requestId: "", retryAfterS: null };
}

function toFailure(status, content, header) {
  // The older form has the three under `error`; problem+json has them at the top.
  const told = content?.error ?? content ?? {};
  return {
    code: codeOf(status, told.code),
    status,
    message: asText(told.message ?? told.detail ?? told.title),
    advice: asText(told.advice),
    requestId: asText(content?.request_id ?? told.request_id ?? header("X-Request-ID")),
    retryAfterS: toSeconds(header("Retry-After"), Date.now()),
  };
}

function codeOf(status, told) {
  const known = CODE_BY_STATUS[status];
  if (STATUS_FIRST.has(status)) return known;
  if (typeof told === "string" && told) return told;
  return known ?? "unreadable_answer";
}

// Retry-After is a number of seconds or a date.
export function toSeconds(header, now) {
  if (!header) return null;
  const seconds = Number(header);
  if (Number.isFinite(seconds)) return Math.max(0, seconds);
  const date = Date.parse(header);
  return Number.isNaN(date) ? null : Math.max(0, (date - now) / 1000);
}

export function pageOf(answer, number) {
  return answer.pages?.find((page) => page.page === number) ?? null;
}

export function pageCount(answer) {
  return Math.max(1, answer?.pages?.length ?? 1);
}

// A reading is sure, fair or low; the bounds are those of calibrated confidences.
export function levelOf(confidence) {
  if (confidence >= 0.95) return "sure";
  return confidence >= 0.8 ? "fair" : "low";
}

const asText = (value) => (typeof value === "string" ? value : "");

function parse(body) {
  try {
    return JSON.parse(body);
  } catch {
    return null;
  }
}
