// Package exports writes datasets for BI tools: Parquet files and a manifest that describes them. A dataset is written
// aside and renamed when all of it is on the disk, so a reader never sees half of one.
package exports
