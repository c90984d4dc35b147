// Package gittest has real Git servers on loopback for tests, and repositories that hold whatever a test wants, also what no
// Git would write.
//
// Servers run the git of this machine: http by git http-backend, ssh by git upload-pack behind a server of this package. Objects
// are written byte by byte, so that a test can have a tree with an entry named "../x", which git refuses to make.
//
// It is for tests alone.
package gittest
