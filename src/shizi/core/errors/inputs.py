"""What is wrong with what is to be read."""

from __future__ import annotations

from shizi.core.errors.base import ShiziError


class InputError(ShiziError):
    """The bytes handed in cannot be read."""

    code = "bad_input"
    http_status = 422
    exit_status = 2
    advice = "Check the file; open it in a viewer and save it again as PNG, JPEG or PDF."


class UnsupportedFormat(InputError):
    """The content is no picture or document format that Shizi reads."""

    code = "unsupported"
    http_status = 415
    advice = "Convert it to PNG, JPEG, TIFF, WebP, BMP, GIF or PDF."


class TooLarge(InputError):
    """A limit on bytes, pixels or pages was exceeded; checked before memory is taken."""

    code = "too_large"
    http_status = 413
    advice = "Send a smaller file, or raise the limit in the configuration."

    def __init__(self, limit_name: str, limit: int, actual: int) -> None:
        """Name the limit ("max_bytes", "max_pixels", "max_pages"), its value and what came."""
        super().__init__(f"{limit_name} is {limit:,} and the input has {actual:,}")
        self.limit_name = limit_name
        self.limit = limit
        self.actual = actual

    @property
    def values(self) -> tuple[str, int, int]:
        """The limit, its value and what came."""
        return self.limit_name, self.limit, self.actual


class CorruptImage(InputError):
    """The format is known, its content is damaged beyond reading."""

    code = "corrupt"
    advice = "The file is damaged or cut short; send it again or export it anew."


class EncryptedPdf(InputError):
    """The PDF needs a password, or the one given is wrong."""

    code = "encrypted_pdf"
    exit_status = 8
    advice = "Give the password, or save the PDF without one."


class Quarantined(InputError):
    """Decoding the input ended the process that did it, more than once."""

    code = "quarantined"
    advice = "Open it in a viewer and save it again; as it is, it is not tried any more."


class BadArchive(InputError):
    """A ZIP archive is damaged, encrypted, or made to harm."""

    code = "bad_archive"
    advice = "Pack the files anew, without a password, links or paths that lead out of the folder."
