"""Asks a running service from Python; needs nothing but the standard library.

from shizi.client import Client

client = Client("http://127.0.0.1:5000")
for page in client.read("receipt.png", effort="balanced"):
    print(page.text)

job = client.jobs.submit(["scans.zip", "contract.pdf"])
client.jobs.wait(job)
client.jobs.save(job, "scans.xlsx")
"""

from __future__ import annotations

from shizi.client.form import OptionValue, Source
from shizi.client.jobs import Job, JobResult, Jobs
from shizi.client.service import Client

__all__ = ["Client", "Job", "JobResult", "Jobs", "OptionValue", "Source"]
