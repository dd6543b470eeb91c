package demo

import "strings"

// colleagues is how many people in a row work for one company.
const colleagues = 4

// company is where people work.
type company struct {
	name   string
	domain string
	size   int
}

var (
	companyFirst = strings.Fields("Amber Blue Copper Delta Ember Falcon Golden Harbor Indigo Juniper Kestrel Lunar Maple " +
		"Nimbus Orchid Pine Quartz River Silver Tidal Umber Velvet Willow Zephyr")
	companySecond = strings.Fields("Analytics Bank Cloud Dynamics Energy Foods Freight Games Health Insurance Labs Learning " +
		"Logistics Media Mobility Networks Partners Retail Robotics Software Studio Systems Travel Works")
	// companySizes are ranges of people, and how many companies of a hundred are in each.
	companySizes = []struct{ low, high, weight int }{{2, 9, 30}, {10, 49, 30}, {50, 199, 22}, {200, 999, 12}, {1000, 8000, 6}}
)

// companyOf makes up the company a person works for, the same for all colleagues.
func (g *Generator) companyOf(person int) company {
	d := newDice(mix(g.key, kindCompany, uint64(person/colleagues)))
	first, second := pick(d, companyFirst), pick(d, companySecond)
	weights := make([]int, len(companySizes))
	for i, s := range companySizes {
		weights[i] = s.weight
	}
	size := companySizes[d.weighted(weights...)]
	return company{
		name:   first + " " + second,
		domain: strings.ToLower(first + "-" + second + ".example"),
		size:   d.between(size.low, size.high),
	}
}
