package main

import (
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// metrics serves what the parts count, for Prometheus.
func (s *service) metrics() http.Handler {
	r := prometheus.NewRegistry()
	r.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	counter := func(name, help string, value func() uint64) {
		r.MustRegister(prometheus.NewCounterFunc(prometheus.CounterOpts{Name: name, Help: help}, func() float64 { return float64(value()) }))
	}
	gauge := func(name, help string, value func() float64) {
		r.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help}, value))
	}
	counter("muster_messages_accepted_total", "Messages acknowledged.", func() uint64 { return s.door.Stats().Accepted })
	counter("muster_messages_rejected_total", "Messages rejected in batches that were acknowledged.", func() uint64 { return s.door.Stats().Rejected })
	gauge("muster_spool_bytes", "Size of the spool on disk.", func() float64 { return float64(s.spool.Stats().Bytes) })
	gauge("muster_spool_segments", "Segments that were not drained.", func() float64 { return float64(s.spool.Stats().Segments) })
	gauge("muster_spool_oldest_seconds", "Age of the oldest message that was not drained.", func() float64 {
		oldest := s.spool.Stats().Oldest
		if oldest.IsZero() {
			return 0
		}
		return time.Since(oldest).Seconds()
	})
	drained := func(name, help string, value func(*backend) uint64) {
		counter(name, help, func() uint64 {
			if b := s.store.Load(); b != nil {
				return value(b)
			}
			return 0
		})
	}
	drained("muster_drain_messages_total", "Messages inserted into ClickHouse.", func(b *backend) uint64 { return b.drain.Stats().Messages })
	drained("muster_drain_refused_total", "Messages that ClickHouse refused, put aside.", func(b *backend) uint64 { return b.drain.Stats().Refused })
	drained("muster_drain_failures_total", "Attempts to drain a segment that failed and were repeated.", func(b *backend) uint64 { return b.drain.Stats().Failures })
	counter("muster_engine_restarts_total", "How often the embedded ClickHouse died and was started again.", func() uint64 {
		if s.engine == nil {
			return 0
		}
		return s.engine.Restarts()
	})
	return promhttp.HandlerFor(r, promhttp.HandlerOpts{})
}
