package ingest

import (
	"encoding/binary"
	"fmt"
	"math"

	"muster"
)

// namesVersion is the first byte of a record that keeps names.
const namesVersion = 3

// nameKind tells what a name is of; the numbers are those of table names.
type nameKind uint8

const (
	eventName     nameKind = 1
	attributeName nameKind = 2
	propertyName  nameKind = 3
)

// newName is a name that traffic of a project brought in.
type newName struct {
	project muster.ProjectID
	kind    nameKind
	name    string
	seen    int64 // in unix milliseconds
}

// appendNames appends names of one project as the spool keeps them: the version, the project (uvarint), when they were
// seen (varint), their number (uvarint), then each: kind (one byte), name (text).
func appendNames(buf []byte, project muster.ProjectID, seen int64, all []newName) []byte {
	buf = append(buf, namesVersion)
	buf = binary.AppendUvarint(buf, uint64(project))
	buf = binary.AppendVarint(buf, seen)
	buf = binary.AppendUvarint(buf, uint64(len(all)))
	for _, n := range all {
		buf = append(buf, byte(n.kind))
		buf = appendText(buf, n.name)
	}
	return buf
}

// parseNames reads what [appendNames] wrote.
func parseNames(record []byte) ([]newName, error) {
	r := recordReader{rest: string(record)}
	if version := r.byte(); version != namesVersion {
		return nil, fmt.Errorf("%w: version %d keeps no names", errRecord, version)
	}
	project, seen := r.uvarint(), r.varint()
	all := make([]newName, r.count(2))
	impossible := project > math.MaxUint32
	for i := range all {
		all[i] = newName{muster.ProjectID(project), nameKind(r.byte()), r.text(), seen}
		impossible = impossible || all[i].kind < eventName || all[i].kind > propertyName
	}
	return all, r.end(impossible)
}
