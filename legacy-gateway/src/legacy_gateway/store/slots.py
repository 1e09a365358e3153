"""The connections that each system takes, shared out among the processes."""

from chassis.database import Connection
from legacy_gateway.domain import System

CLAIM = """
    -- Free connections of a system for a process: those that nobody has, or whose process is gone. Of two processes that want
    -- the same one, one gets it.
    INSERT INTO connection_slots AS slots (system, slot, sender_id)
    SELECT %(system)s, slot, %(sender_id)s FROM generate_series(1, %(most)s::int) AS slot
    WHERE NOT EXISTS (
        SELECT FROM connection_slots AS taken JOIN senders USING (sender_id)
        WHERE taken.system = %(system)s AND taken.slot = slot.slot AND gone_time IS NULL
    )
    ORDER BY slot LIMIT %(wanted)s
    ON CONFLICT (system, slot) DO UPDATE SET sender_id = excluded.sender_id
    WHERE NOT EXISTS (SELECT FROM senders WHERE senders.sender_id = slots.sender_id AND gone_time IS NULL)
"""


def claim(conn: Connection, system: System, *, sender_id: int, wanted: int, most: int) -> int:
    """Claims up to `wanted` free connections, of `most` that the system takes, for a process; gives how many it got."""
    values = {"system": system, "sender_id": sender_id, "wanted": wanted, "most": most}
    return conn.execute(CLAIM, values).rowcount
