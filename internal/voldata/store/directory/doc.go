// Package directory keeps archives in a directory of the server: its own disk, or one that is mounted.
//
//   - An object is written to a file whose name begins with a point, synced, and linked to its name, which must be free. Then
//     the directory is synced: what was said to be kept survives a power cut.
//   - The directory is opened once, and names are looked up in it without leaving it: a symbolic link in it leads nowhere else.
//   - The directory itself is never made. One that is missing is a disk that is not mounted.
package directory
