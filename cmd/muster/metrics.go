package main

import (
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"muster/ingest"
)

// metrics serves what the parts count, for Prometheus.
func (s *service) metrics() http.Handler {
	r := prometheus.NewRegistry()
	r.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
		doorCollector{s.door}, s.inserts)
	s.spoolMetrics(r)
	s.drainMetrics(r)
	counter(r, "muster_engine_restarts_total", "How often the embedded ClickHouse died and was started again.", func() uint64 {
		if s.engine == nil {
			return 0
		}
		return s.engine.Restarts()
	})
	return promhttp.HandlerFor(r, promhttp.HandlerOpts{})
}

func counter(r *prometheus.Registry, name, help string, value func() uint64) {
	r.MustRegister(prometheus.NewCounterFunc(prometheus.CounterOpts{Name: name, Help: help}, func() float64 { return float64(value()) }))
}

func gauge(r *prometheus.Registry, name, help string, value func() float64) {
	r.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help}, value))
}

func (s *service) spoolMetrics(r *prometheus.Registry) {
	gauge(r, "muster_spool_bytes", "Size of the spool on disk.", func() float64 { return float64(s.spool.Stats().Bytes) })
	gauge(r, "muster_spool_limit_bytes", "Size at which the spool takes no more.", func() float64 { return float64(s.cfg.maxSpool) })
	gauge(r, "muster_spool_segments", "Segments that were not drained.", func() float64 { return float64(s.spool.Stats().Segments) })
	gauge(r, "muster_spool_oldest_seconds", "Age of the oldest message that was not drained: the lag of the drain.", func() float64 {
		oldest := s.spool.Stats().Oldest
		if oldest.IsZero() {
			return 0
		}
		return time.Since(oldest).Seconds()
	})
}

func (s *service) drainMetrics(r *prometheus.Registry) {
	drained := func(name, help string, value func(ingest.DrainStats) uint64) {
		counter(r, name, help, func() uint64 {
			if b := s.store.Load(); b != nil {
				return value(b.drain.Stats())
			}
			return 0
		})
	}
	drained("muster_drain_messages_total", "Messages inserted into ClickHouse.", func(d ingest.DrainStats) uint64 { return d.Messages })
	drained("muster_drain_repeats_total", "Messages left out because the same one was inserted lately. The tables collapse older repeats, which nobody counts.",
		func(d ingest.DrainStats) uint64 { return d.Repeats })
	drained("muster_drain_segments_total", "Spool segments drained.", func(d ingest.DrainStats) uint64 { return d.Segments })
	drained("muster_drain_refused_total", "Messages that ClickHouse refused, put aside.", func(d ingest.DrainStats) uint64 { return d.Refused })
	drained("muster_drain_failures_total", "Attempts to drain a segment that failed and were repeated.", func(d ingest.DrainStats) uint64 { return d.Failures })
}

// newInsertHistogram measures the inserts of the drain.
func newInsertHistogram() *prometheus.HistogramVec {
	return prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name: "muster_insert_seconds", Help: "How long inserting one spool segment's rows of a table took.",
		Buckets: prometheus.ExponentialBuckets(0.005, 2, 12), // 5 ms to 10 s
	}, []string{"table"})
}

// doorCollector reads the door's counts when they are asked for.
type doorCollector struct{ door *ingest.Door }

var (
	acceptedDesc = prometheus.NewDesc("muster_messages_accepted_total", "Messages acknowledged.", nil, nil)
	rejectedDesc = prometheus.NewDesc("muster_messages_rejected_total", "Messages not accepted, by the code of why.", []string{"code"}, nil)
	unkeptDesc   = prometheus.NewDesc("muster_messages_rejected_unkept_total",
		"Rejected messages of which nothing was kept for the operator, because a day's bound was reached or the disk took no more.", nil, nil)
	refusedDesc = prometheus.NewDesc("muster_requests_refused_total", "Requests to the door answered with an error, by its code.", []string{"code"}, nil)
)

// Describe names what is collected.
func (doorCollector) Describe(out chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{acceptedDesc, rejectedDesc, unkeptDesc, refusedDesc} {
		out <- d
	}
}

// Collect reads it.
func (c doorCollector) Collect(out chan<- prometheus.Metric) {
	stats := c.door.Stats()
	out <- prometheus.MustNewConstMetric(acceptedDesc, prometheus.CounterValue, float64(stats.Accepted))
	out <- prometheus.MustNewConstMetric(unkeptDesc, prometheus.CounterValue, float64(stats.Unkept))
	for code, n := range stats.Rejected {
		out <- prometheus.MustNewConstMetric(rejectedDesc, prometheus.CounterValue, float64(n), string(code))
	}
	for code, n := range stats.Refused {
		out <- prometheus.MustNewConstMetric(refusedDesc, prometheus.CounterValue, float64(n), string(code))
	}
}
