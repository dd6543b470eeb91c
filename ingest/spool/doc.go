// Package spool is the durable queue between the door and ClickHouse: a log of segments in a directory. A record is
// bytes; what they mean is the door's and the drain's business.
//
// A segment is one file. Its name is its sequence number, which is never given out twice; while it is appended to it ends
// in .open, when it is sealed it is renamed to end in .sealed, and when it was drained it is removed. It holds a header
// (magic, the spool's id, the sequence number, their checksum) and records: the payload's length (4 bytes, little-endian), a
// CRC32C over length and payload (4 bytes), the payload.
//
// The segment after the active one is prepared while there is traffic: it ends in .next, has its header, and is zeros for
// about as long as it will be. It is cut to its records when it is sealed. See spares.
//
// What survives, whatever happened to the files:
//
//	a torn last record of an .open segment   every acknowledged record; the torn one was never acknowledged and is cut off
//	a flipped bit in a record                every other record; the damage is reported and the file is kept aside
//	a broken header                          every record that is whole; the damage is reported
//	an empty file, or only a header          there was nothing acknowledged in it; the file is removed
//	zeros after the last record              every record; the zeros are cut off
//	a full disk, a short write               nothing of that append; it fails, and the next ones succeed when there is room
//	a failed fsync                           that append fails; its file is never appended to again
//	kill -9, power loss                      every acknowledged record, once and in order
//
// A record that was not acknowledged may survive too: who was not told resends.
package spool
