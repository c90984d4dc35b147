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
// Engine is all that is asked of an engine. *client.Client is one. Through the agent's door it needs these rules, which the door
// does not have yet:
//
//   - GET /images/{name}/json and POST /images/load for Image alone: the body is at most a few KiB and must be Image's bytes.
//   - GET /volumes/{name}, POST /volumes/create and DELETE /volumes/{name} (without force) for names as swarmobj.VolumeName
//     makes them; the body of create written anew: name, driver, options, labels.
//   - POST /containers/create with a body that is written anew: Image's ID, LabelHolder and LabelUntil, network none, logging
//     none, exactly one mount, of type volume, at content.Root, and nothing else. The name must begin with namePrefix.
//   - GET and PUT /containers/{id}/archive, and DELETE /containers/{id}, only for containers with LabelHolder that the door has
//     seen made, or that it inspects; path=/volume for GET and path=/ for PUT; bodies of any length, as streams of their own.
//   - GET /containers/json with all=1 and the filter label=LabelHolder, which the rule that asks only for tasks must leave be.
//   - There must be no /containers/{id}/start for them.
//
// Callers: internal/voldata/snapshot, cmd. It must not import controllers.
package voldata
