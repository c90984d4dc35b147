// Package measure keeps the readings of a benchmark and tells what they mean.
//
// A benchmark compares arms: Dogker, and what it is measured against (bare calls, another tool, a raw store). The arms
// take turns, round after round, on the same machine in the same minute. What counts is the ratio of two arms within a
// round; a report shows the median of these ratios with the smallest and the largest, because a machine that is busy
// with something else moves both arms of a round and leaves their ratio nearly alone.
//
// The package is pure: no clock, no processes, no files.
package measure
