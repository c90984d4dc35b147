// Package containers is a fleet.Runtime in memory: containers that write logs, run a handful of commands and listen on
// ports, on nodes whose agents can be lost. It lets everything above the engine be tested with real clients and without one.
//
// It keeps to what fleet.Runtime promises, errors included; what an engine really does is tested on engines.
package containers
