package demo

import (
	"fmt"
	"strconv"
)

// What an identifier is made for; each kind has numbers of its own.
const (
	kindPerson uint64 = iota + 1
	kindCompany
	kindPair
	kindUser
	kindBrowser
)

// userID is the id a person's account has.
func (g *Generator) userID(person int) string {
	return fmt.Sprintf("usr_%016x", mix(g.key, kindUser, uint64(person)))
}

// anonymousID is the id a browser keeps, in the form of a version 4 UUID; clearing it begins another generation.
func (g *Generator) anonymousID(person, device, generation int) string {
	a := mix(g.key, kindBrowser, uint64(person), uint64(device), uint64(generation))
	b := mix(a)
	return fmt.Sprintf("%08x-%04x-4%03x-%04x-%012x", a>>32, a>>16&0xffff, a&0xfff, b>>48&0x3fff|0x8000, b&0xffffffffffff)
}

// messageID names the message a person says in its place, counted from 0.
func (g *Generator) messageID(person, place int) string {
	id := make([]byte, 0, 48)
	id = strconv.AppendUint(append(id, "demo-"...), g.key, 16)
	id = strconv.AppendInt(append(id, '-'), int64(person), 10)
	id = strconv.AppendInt(append(id, '-'), int64(place), 10)
	return string(id)
}
