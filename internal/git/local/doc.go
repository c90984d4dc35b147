// Package local makes objects of files on this machine in the way in which a build makes them of a commit: what `dogker diff`
// says of a directory is what a sync of it will do once it is pushed.
//
//	-f DIRECTORY ─► its repository, or the directory alone ─┐
//	-f FILE, -f - ─► a directory with one file ─────────────┴─► tree ─► build ─► objects, with files as they were named
//
// A directory is looked at as if it were committed: nothing is read that Git could not store, and nothing of .git. What files
// hold is read when it is asked for. Limits are for repositories of strangers; those on the number and the size of files that
// are not built are lifted here.
//
// It is called by commands. It must not import controllers or the server.
package local
