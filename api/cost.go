package api

import (
	"context"
	"time"

	"muster/clickhouse"
)

// cost is what an answer took, in every answer that is computed.
type cost struct {
	ElapsedMS int64  `json:"elapsed_ms"`
	RowsRead  uint64 `json:"rows_read" doc:"by ClickHouse, for all of the answer"`
	BytesRead uint64 `json:"bytes_read"`
}

// measure returns a context whose queries are counted, and a function for what they took so far.
func measure(ctx context.Context) (context.Context, func() cost) {
	start, read := time.Now(), &clickhouse.Statistics{}
	return clickhouse.WithStatistics(ctx, nil, read), func() cost {
		return cost{ElapsedMS: time.Since(start).Milliseconds(), RowsRead: read.Rows, BytesRead: read.Bytes}
	}
}
