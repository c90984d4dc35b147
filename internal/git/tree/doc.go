// Package tree is the files of one commit, as a builder sees them: in memory, read when they are asked for, and nothing besides.
//
//   - There is no way out of it: a path or a symlink that leads out of the repository is an error that says so.
//   - It is counted before it is used: files, directories in directories, bytes. The same directory under a thousand names counts
//     a thousand times.
//   - Names are plain: no .git in any disguise, nothing that a terminal or another system takes for something else.
//   - What is ignored is there only so that an error can say that it is ignored.
//   - Submodules are not fetched, and pointers of Git LFS are not followed; an error says what they are.
//
// It is called by internal/git. It must not import controllers or the server.
package tree
