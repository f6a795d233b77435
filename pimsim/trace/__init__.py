"""Command streams as CSV: read, write, schedule and audit them."""

from pimsim.engine.audit import Auditor, audit
from pimsim.engine.audit_report import AuditReport, Finding
from pimsim.engine.command_trace import CommandTrace, concatenate, trace_of_flat_banks
from pimsim.trace.read import load_stream, read_stream
from pimsim.trace.schedule import Scheduler, schedule_stream
from pimsim.trace.write import write_stream

__all__ = [
    "AuditReport",
    "Auditor",
    "CommandTrace",
    "Finding",
    "Scheduler",
    "audit",
    "concatenate",
    "load_stream",
    "read_stream",
    "schedule_stream",
    "trace_of_flat_banks",
    "write_stream",
]
