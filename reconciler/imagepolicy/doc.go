// Package imagepolicy says which tag of a repository is the latest by a rule, and which containers have to change for it.
// It is pure: tags, images and digests are arguments.
//
//	tags ──► filter, extract ──► semver | alphabetical | numerical ──► the latest tag
//	container, what it runs, what was chosen ──► the image to write, or nothing
//
// What holds everywhere in it:
//
//   - The same tags in any order give the same answer.
//   - A tag that the rule cannot read is passed over, never an error: somebody else pushes tags.
//   - Nothing is written to a container that runs the same digest already: a new name for the same content restarts nothing.
//   - Nothing is chosen of nothing: a list without a tag that matches is no reason to change anything.
//
// The words are those of Flux' ImagePolicy, and so is the rule about tags that vanish: the latest is the latest of those that
// are there, so that taking a bad tag out of the registry takes it back everywhere.
//
// It is called by controllers/imagepolicy. It must not import controllers, adapters or a client.
package imagepolicy
