package agent

import (
	"time"
)

// Port is where agents listen unless they are told otherwise.
const Port = 6444

// Protocol is the version of what agents serve beside the engine's API. A server that meets another one says so and uses
// what both know.
const Protocol = 1

// Paths that agents serve beside the engine's API. All of them are for servers only, but PathHealth, which is for the node
// itself.
const (
	PathAbout       = "/dogker/v1/about"
	PathReports     = "/dogker/v1/reports"
	PathDial        = "/dogker/v1/dial/"
	PathRequest     = "/dogker/v1/enrolment/request"
	PathCertificate = "/dogker/v1/enrolment/certificate"
	PathHealth      = "/healthz"
)

// Parameters of PathReports: the round and the agent of the last report that the server has.
const (
	paramAfter = "after"
	paramAgent = "agent"
)

// FreezeLease is how long an agent leaves a container paused that a server does not pause again: when the server has gone nobody else
// would let it go on.
const FreezeLease = 2 * time.Minute

// UpgradeDial is the protocol that PathDial upgrades to: the bytes of the connection, and nothing else.
const UpgradeDial = "dogker-tcp"

// ReportsType is the media type of reports: one JSON object a line.
const ReportsType = "application/x-ndjson"

// TaskLabel is the label by which the engine marks containers of Swarm's tasks. Nothing that Swarm runs can set it.
const (
	TaskLabel    = "com.docker.swarm.task.id"
	ServiceLabel = "com.docker.swarm.service.id"
)

// About is what an agent says of itself.
type About struct {
	// Version of Dogker, and Protocol of the agent.
	Version  string `json:"version"`
	Protocol int    `json:"protocol"`
	// Node is the ID of its node in the swarm, and Container that of its own container.
	Node      string `json:"node"`
	Container string `json:"container,omitempty"`
	// Agent tells one start of the agent from the next, as in its reports.
	Agent string `json:"agent"`
	// Started is when it was started, and Now the time, by the clock of the node.
	Started time.Time `json:"started"`
	Now     time.Time `json:"now"`
	// Round is the last one that it has reported; 0 for none.
	Round int64 `json:"round"`
	// Expires is when its certificate does.
	Expires time.Time `json:"expires"`
}
