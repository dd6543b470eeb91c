package bench

import (
	"fmt"
	"io"
	"slices"
	"text/tabwriter"
	"time"
)

// Figure is one measurement: what Muster took, what the bare minimum took, and how many times that may be.
type Figure struct {
	Name         string
	Muster, Bare time.Duration
	Bar          float64 // the highest ratio of Muster to bare that is wanted
}

// Ratio is how many times the bare minimum Muster took.
func (f Figure) Ratio() float64 { return float64(f.Muster) / float64(f.Bare) }

// runs is how often each side is measured; the sides take turns, and the medians are compared.
const runs = 5

// compare measures both sides in turns, after one turn that is not counted.
func compare(name string, bar float64, muster, bare func() error) (Figure, error) {
	var a, b []time.Duration
	for i := range runs + 1 {
		for _, side := range []struct {
			run   func() error
			times *[]time.Duration
		}{{muster, &a}, {bare, &b}} {
			start := time.Now()
			if err := side.run(); err != nil {
				return Figure{}, fmt.Errorf("%s: %w", name, err)
			}
			if i > 0 {
				*side.times = append(*side.times, time.Since(start))
			}
		}
	}
	return Figure{Name: name, Muster: median(a), Bare: median(b), Bar: bar}, nil
}

func median(all []time.Duration) time.Duration {
	slices.Sort(all)
	return all[len(all)/2]
}

// Print writes the figures as a table.
func Print(w io.Writer, figures []Figure) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(table, "Muster\tbare\tratio\tbar\t\twhat\t")
	for _, f := range figures {
		verdict := "ok"
		if f.Ratio() > f.Bar {
			verdict = "MISSED"
		}
		fmt.Fprintf(table, "%s\t%s\t%.2f\t%.2f\t%s\t%s\t\n", round(f.Muster), round(f.Bare), f.Ratio(), f.Bar, verdict, f.Name)
	}
	return table.Flush()
}

func round(d time.Duration) time.Duration {
	if d < 10*time.Millisecond {
		return d.Round(10 * time.Microsecond)
	}
	return d.Round(time.Millisecond)
}
