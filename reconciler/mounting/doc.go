// Package mounting says whether a container can be as it is declared with the Volumes that it mounts.
//
// Data that one node has can be written by one task at a time: nothing keeps two of them apart, and most programs that own a
// directory take for granted that nobody else writes there. Readers may be many, on that node.
//
// Invariants:
//   - Nothing is refused for what a Volume of access Many could bear: whether a program can share is its owner's to know.
//   - What is not known, a Volume or its class, refuses nothing; whoever starts tasks asks again when it is known.
//   - Refusals name the field, the value and what is allowed.
//
// Callers: internal/controlplane/admission, when something is declared, and controllers that start tasks, because a class can
// become known later, and two declarations can be made at once. It is pure, and imports api only.
package mounting
