// Command bench compares Dogker with what it is measured against: bare calls to the engine, `docker stack deploy`, a raw
// etcd, a twenty-line program. All arms of a benchmark take turns on the same engine in the same minutes, and what counts
// is the ratio within a round.
//
//	go run ./test/bench                        everything, small: about half an hour
//	go run ./test/bench -profile full          everything, as docs/benchmarks.md reports it
//	go run ./test/bench drift api              only these
//	go run ./test/bench -list                  what there is
//	go run ./test/bench -profile full -document docs/benchmarks.md
//
// It needs root and an engine's programs, as internal/lab says, and `docker` and `git` for the arms that use them.
// Nothing else should run on the machine; each report says how busy it was with other things.
package main
