package demo

import "strconv"

// device is a browser somebody uses.
type device struct {
	owner, number int // whose it is, and which of theirs
	generation    int // how often it has forgotten its id
	anonymousID   string
	known         bool // whether it has been told whose session it is
	context       string
}

// sharedPairs is how many of a thousand pairs of neighbours share a browser.
const sharedPairs = 60

var systems = []struct{ kind, name string }{
	{"desktop", "Windows"}, {"desktop", "macOS"}, {"mobile", "iOS"}, {"mobile", "Android"}, {"desktop", "Linux"},
}

// devicesOf makes up a person's browsers. The first is the one used most. With some neighbours the second of a pair also
// uses the first browser of the first.
func (g *Generator) devicesOf(p *person, d *dice) []device {
	count := 1 + d.weighted(58, 30, 12)
	if p.kind == visitor {
		count = 1
	}
	system := d.weighted(46, 34, 9, 7, 4)
	devices := make([]device, count, count+1)
	for i := range devices {
		devices[i] = g.device(p, p.index, i, system)
		system = d.weighted(20, 20, 32, 26, 2)
	}
	if p.index%2 == 1 && p.kind != visitor && mix(g.key, kindPair, uint64(p.index/2))%1000 < sharedPairs {
		devices = append(devices, g.device(p, p.index-1, 0, 0))
	}
	return devices
}

func (g *Generator) device(user *person, owner, number, system int) device {
	s := systems[system]
	return device{
		owner: owner, number: number, anonymousID: g.anonymousID(owner, number, 0),
		context: `{"library":{"name":"muster-demo"},"locale":` + strconv.Quote(user.language+"-"+user.place.country) +
			`,"device":{"type":"` + s.kind + `"},"os":{"name":"` + s.name + `"}}`,
	}
}

// chooseDevice takes a browser for a session. Now and then it has lost its id: cookies were cleared, or expired.
func (l *life) chooseDevice() {
	i := 0
	if n := len(l.devices); n > 1 && l.dice.chance(320) {
		i = l.dice.between(1, n-1)
	}
	l.device = &l.devices[i]
	if l.device.owner == l.person.index && l.device.known && l.dice.chance(8) {
		l.device.generation++
		l.device.anonymousID = l.g.anonymousID(l.device.owner, l.device.number, l.device.generation)
		l.device.known = false
	}
}
