package volumejob

import "time"

// Kind is what is to be done.
type Kind string

// The kinds.
const (
	// Copy makes Target of what is in Source; Job.Digest is of what was copied.
	Copy Kind = "Copy"
	// Verify reads both; Job.SourceDigest and Job.TargetDigest are of them.
	Verify Kind = "Verify"
	// Remove removes Source if Order.Maker has made it and Order.Digest is still that of its content. Job.Changed is true when it is not.
	Remove Kind = "Remove"
	// Save stores what is in Source as Archive, between what Quiet asks for; Job.Receipt is of what was read back from there.
	Save Kind = "Save"
	// Thaw undoes what an interrupted Save may have left: frozen containers, and a post hook that was not run.
	Thaw Kind = "Thaw"
	// Check reads Archive, and holds it against itself; Job.Receipt is of it.
	Check Kind = "Check"
	// Restore makes Target of what is in Archive.
	Restore Kind = "Restore"
	// Erase removes Archive.
	Erase Kind = "Erase"
)

// Place is a volume of an engine.
type Place struct {
	// Node is its ID, and Name what its engine calls the volume.
	Node, Name string
}

// Making is how a volume is made.
type Making struct {
	// Driver and its options; empty means the engine's own.
	Driver  string
	Options map[string]string
	// Labels that it is to have.
	Labels map[string]string
}

// Archive is a snapshot as a file or an object.
type Archive struct {
	// Class is the name of the VolumeSnapshotClass, and Name that of the archive below its folder.
	Class, Name string
	// Namespace, Volume and UID are those of the Volume that it is of, and Time when reading began.
	Namespace, Volume, UID string
	Time                   time.Time
	// SHA256 that the archive must have, in hexadecimal; empty for any that is whole and signed with our key.
	SHA256 string
}

// Quiet is what is done around reading.
type Quiet struct {
	// Pause freezes the containers that mount the volume.
	Pause bool
	// Namespace and Container name the TenantContainer whose task hooks run in. When there is no running task, none is run.
	Namespace, Container string
	// Pre and Post are the hooks; nil for none.
	Pre, Post *Hook
}

// Hook is a command in a container.
type Hook struct {
	Command []string
	Timeout time.Duration
	// Continue goes on when it fails.
	Continue bool
}

// Order is what is asked for.
type Order struct {
	// Owner is the UID of the object that it is for, and Namespace where that is: tenants take turns.
	Owner, Namespace string
	Kind             Kind
	// Operation is the one try of one operation that it is, such as volumemove.Operation.
	Operation string

	Source, Target Place
	// Make is how Target is made.
	Make Making
	// Maker is the operation that has made Source, for Remove; empty for what none has made.
	Maker string
	// Digest that Source must have, for Remove.
	Digest  string
	Archive Archive
	// MaxBytes is how much a restored volume may hold; 0 for any amount.
	MaxBytes int64
	Quiet    Quiet
}

// Receipt says what an archive is.
type Receipt struct {
	// Digest of the content, Bytes of its files, and Entries.
	Digest         string
	Bytes, Entries int64
	// SHA256 and Size of the archive.
	SHA256 string
	Size   int64
	// UID of the Volume that it is of, and Time that stand in it.
	UID  string
	Time time.Time
}

// Fault is a class of failures that controllers tell apart.
type Fault string

// The faults.
const (
	// FaultOther: it is told by Job.Err.
	FaultOther Fault = ""
	// FaultStore: the place of archives does not answer, or denies it.
	FaultStore Fault = "Store"
	// FaultArchive: what is there is not what was stored.
	FaultArchive Fault = "Archive"
	// FaultHook: a hook has failed.
	FaultHook Fault = "Hook"
	// FaultNode: the node does not answer, or its agent is too old.
	FaultNode Fault = "Node"
	// FaultChanging: the data has changed while it was read.
	FaultChanging Fault = "Changing"
	// FaultKey: the class or its key cannot be used.
	FaultKey Fault = "Key"
	// FaultFull: there is no room, on the node or in the place of archives.
	FaultFull Fault = "Full"
)

// Job is an order that was begun by this process.
type Job struct {
	Kind      Kind
	Operation string
	Began     time.Time
	// Ended is false while it runs, and Bytes how much has moved so far.
	Ended bool
	Bytes int64

	// Err is why it has failed, as a sentence without its end; empty when it has not. Permanent is true when another try would fail
	// alike.
	Err       string
	Fault     Fault
	Permanent bool

	// Thawed is true when everything that was done around reading has been undone, or nothing was.
	Thawed bool

	Digest, SourceDigest, TargetDigest string
	Changed                            bool
	Receipt                            Receipt
}

// Presence is what an engine says of a volume.
type Presence struct {
	// There is whether the volume is there, and Operation what has made it; empty for what no operation has made.
	There     bool
	Operation string
}
