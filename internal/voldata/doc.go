// Package voldata reads and writes what is in the volumes of an engine, without a process near them and without an image of
// anybody: a container that is made and never started has the volume mounted, and the engine itself archives that directory
// (GET /containers/{id}/archive) or unpacks into it (PUT).
//
//	VolumeInspect ─► ContainerCreate ─► CopyFromContainer ─► tar, whole or an error ─► ContainerRemove
//	VolumeCreate  ─► ContainerCreate ─► CopyToContainer ─► read back, digests equal? ─► ContainerRemove
//
// What holds:
//
//   - A volume that is missing is not made by reading it. Engines make what a mount names; the label that such a mount gives
//     the volume tells that this has happened, and then it is removed again.
//   - Only a volume that the same call has made is written into, and only while it is empty. Everything else that has its name
//     is left alone. What a call has left that was interrupted is removed by Discard, which its caller decides.
//   - What is written was understood before (content), and counts only once it was read back and has the same digest.
//   - Writing unpacks at / of the container, whose own file system is thrown away: an engine refuses relative symbolic links
//     that lead out of the directory that it unpacks in, although they lead nowhere but into the container.
//   - Containers carry labels by which they are swept when nobody holds them any more: who made them, and until when.
//   - Errors are of the classes of swarmobj, name the volume, and hold nothing that an engine has said about itself; that is in
//     their chain, for logs (Cause).
//
// What engines leave out of an archive: sockets, fractions of seconds, extended attributes but security.capability, what they
// fail to read (they only log it) and paths of more than 4096 bytes. Holes of sparse files are written as zeros.
//
// Engine is all that is asked of an engine. *client.Client is one, and so is that of internal/fleet, which for other nodes goes
// through the door of their agents. That lets through what this package asks for and nothing else: Mount is all that two containers
// may differ in, of which a door makes the container anew. Whatever is asked of engines in another way is refused there, also by
// agents that are older than the server.
//
// Callers: internal/voldata/snapshot, internal/volumework, internal/fleet and internal/agent/door. It must not import controllers.
package voldata
