// Package build makes objects of the files of a commit: of a directory of YAML, or of a kustomization.
//
//	directory ─► every .yaml and .yml, with its lines ─┐
//	kustomization ─► surveyed first, then built ───────┴─► substitution ─► checks ─► objects
//
// What holds in it:
//
//   - What kustomize would fetch, run or read elsewhere is refused before kustomize sees it: remote bases, Helm charts, paths out of
//     the repository, bases that contain themselves or multiply. Its plugins are off, and its files are those of the tree.
//   - Every YAML that anything parses has passed the guard of package document.
//   - Errors name the file and the line. Objects carry them, too, so that whoever applies them can name them.
//   - The same commit and the same request give the same bytes.
//
// It is called by internal/git. It must not import controllers or the server.
package build
