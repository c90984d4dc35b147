// Package volumeclass looks after VolumeClasses: it counts the Volumes of each, says when one cannot be used, and holds a class
// that somebody deletes for as long as a Volume is of it.
//
// Callers: cmd. It imports api and reconciler; never an adapter or another controller.
package volumeclass
