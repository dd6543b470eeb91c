package demo

import (
	"strings"
	"testing"
	"time"
)

func TestBarOnATerminal(t *testing.T) {
	var out strings.Builder
	b := NewBar(&out, true, 1000)
	b.Show(Progress{Accepted: 250, Elapsed: time.Second})
	b.Show(Progress{Accepted: 260, Elapsed: time.Second + redraw/2}) // too soon
	b.Show(Progress{Accepted: 490, Rejected: 10, Elapsed: 2 * time.Second})
	b.End(Summary{Progress: Progress{Accepted: 1000, Elapsed: 4 * time.Second}})
	want := "\r[======                  ]  25%  250 of 1000 messages, 250/s, 3s left\x1b[K" +
		"\r[============            ]  50%  500 of 1000 messages, 250/s, 2s left\x1b[K" +
		"\r[========================] 100%  1000 of 1000 messages, 250/s\x1b[K\n"
	if out.String() != want {
		t.Errorf("%q\nnot %q", out.String(), want)
	}
}

func TestBarElsewhere(t *testing.T) {
	var out strings.Builder
	b := NewBar(&out, false, 1000)
	for s := range 13 {
		b.Show(Progress{Accepted: 10 * s, Elapsed: time.Duration(s) * time.Second})
	}
	b.End(Summary{Progress: Progress{Accepted: 125, Elapsed: 12500 * time.Millisecond}}) // it failed there
	want := "  5%  50 of 1000 messages, 10/s, 1m35s left\n" +
		" 10%  100 of 1000 messages, 10/s, 1m30s left\n" +
		" 12%  125 of 1000 messages, 10/s, 1m28s left\n"
	if out.String() != want {
		t.Errorf("%q\nnot %q", out.String(), want)
	}
	out.Reset()
	NewBar(&out, true, 0).End(Summary{})
	if out.String() == "" {
		t.Error("nothing to send shows nothing")
	}
}
