package membership

import "github.com/RoaringBitmap/roaring/v2"

// planes says of each user which segments have it: 64 segments are a plane, which is one word a user. To ask for all segments of a user
// through their bitmaps takes some accesses to memory for each segment; here it takes one for 64.
type planes struct {
	words [][]uint64 // by plane, then by uid
	taken []bool     // by slot: whether a segment has it
}

// row returns the words of a user, one for each plane.
func (p *planes) row(uid uint32, row []uint64) []uint64 {
	for _, plane := range p.words {
		word := uint64(0)
		if int(uid) < len(plane) {
			word = plane[uid]
		}
		row = append(row, word)
	}
	return row
}

// in tells whether a row has a slot.
func in(row []uint64, slot int) bool { return row[slot/64]>>(slot%64)&1 == 1 }

// take returns a slot that is empty.
func (p *planes) take() int {
	for slot, taken := range p.taken {
		if !taken {
			p.taken[slot] = true
			return slot
		}
	}
	slot := len(p.taken)
	p.taken = append(p.taken, true)
	if slot/64 == len(p.words) {
		p.words = append(p.words, nil)
	}
	return slot
}

// leave gives a slot back, with the members it has.
func (p *planes) leave(slot int, members *roaring.Bitmap) {
	p.remove(slot, members)
	p.taken[slot] = false
}

func (p *planes) add(slot int, users *roaring.Bitmap) {
	if users.IsEmpty() {
		return
	}
	plane, bit := p.words[slot/64], uint64(1)<<(slot%64)
	if most := int(users.Maximum()) + 1; most > len(plane) {
		plane = append(plane, make([]uint64, most-len(plane))...)
		p.words[slot/64] = plane
	}
	for i := users.Iterator(); i.HasNext(); {
		plane[i.Next()] |= bit
	}
}

func (p *planes) remove(slot int, users *roaring.Bitmap) {
	plane, bit := p.words[slot/64], uint64(1)<<(slot%64)
	for i := users.Iterator(); i.HasNext(); {
		if uid := int(i.Next()); uid < len(plane) {
			plane[uid] &^= bit
		}
	}
}
