package demo

import (
	"strconv"
	"strings"
)

// person is somebody the traffic comes from, as they are before anything happens.
type person struct {
	index     int
	userID    string
	kind      kind
	tier      tier
	place     *place
	company   company
	name      string
	email     string
	language  string
	role      string
	interests []string
}

// kind tells what a person has to do with the product.
type kind int

const (
	visitor  kind = iota // looks, and never signs up
	newcomer             // signs up while the traffic lasts
	veteran              // had an account before
)

// tier tells how much somebody works with the product.
type tier int

const (
	casual tier = iota
	regular
	power
)

var (
	roles = []string{"analyst", "engineer", "marketer", "product manager", "designer", "support", "executive", "admin"}
	// topics are what people say they are interested in.
	topics = []string{"analytics", "experiments", "integrations", "onboarding", "reporting", "retention", "security", "surveys"}
)

func (g *Generator) person(index int, d *dice) person {
	p := person{
		index: index, userID: g.userID(index), kind: kind(d.weighted(34, 42, 24)),
		place: somewhere(d), company: g.companyOf(index), role: pick(d, roles),
	}
	p.tier = tier(d.weighted(55, 36, 9))
	if p.kind == veteran { // whoever stayed likes it
		p.tier = tier(d.weighted(45, 40, 15))
	}
	first, last := pick(d, p.place.names.first), pick(d, p.place.names.last)
	p.name = first + " " + last
	p.email = strings.ToLower(plain.Replace(first)+"."+plain.Replace(last)) + strconv.Itoa(index) + "@" + p.company.domain
	p.language = p.place.language
	if d.chance(100) {
		p.language = "en"
	}
	for _, topic := range topics {
		if d.chance(280) {
			p.interests = append(p.interests, topic)
		}
	}
	return p
}
