package demo

import "math/rand/v2"

// dice make one person's choices. They know whole numbers only: the last bit of a float may differ between machines.
type dice struct{ source rand.PCG }

func newDice(seed uint64) *dice {
	d := new(dice)
	d.source.Seed(seed, mix(seed))
	return d
}

// below returns a number from 0 to n-1, very nearly uniform for the small n of this package.
func (d *dice) below(n int) int { return int((d.source.Uint64() >> 33) % uint64(n)) }

// between returns a number from low to high, both in.
func (d *dice) between(low, high int) int { return low + d.below(high-low+1) }

// chance is true as often as told, in thousandths.
func (d *dice) chance(thousandths int) bool { return d.below(1000) < thousandths }

// weighted returns the place of one of the weights, as often as its weight says.
func (d *dice) weighted(weights ...int) int {
	total := 0
	for _, w := range weights {
		total += w
	}
	at := d.below(total)
	for i, w := range weights {
		if at < w {
			return i
		}
		at -= w
	}
	return len(weights) - 1
}

// pick returns one of the given, each as often as the others.
func pick[T any](d *dice, of []T) T { return of[d.below(len(of))] }

// mix scrambles numbers into one, each step as in SplitMix64.
func mix(numbers ...uint64) uint64 {
	var z uint64
	for _, n := range numbers {
		z += n + 0x9e3779b97f4a7c15
		z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
		z = (z ^ z>>27) * 0x94d049bb133111eb
		z ^= z >> 31
	}
	return z
}
