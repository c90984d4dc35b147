// Package contract says what Dogker relies on a Docker Engine in swarm mode to do, as assertions that any engine can be
// held to. The same cases run on the fake engine, in fake time, with every unit test run; and on a real engine, with the
// build tag e2e. Where they disagree the fake is wrong, or the engine is a new one: both are to be known.
//
// A case needs an API to call, images whose containers obey APP_… variables, and names of its own. It polls, because on
// a real engine things take their time.
package contract
