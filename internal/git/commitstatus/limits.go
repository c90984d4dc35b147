package commitstatus

import "time"

const (
	// atOnce is how many states are being sent, and perTenant how many of them for one tenant: a tenant's slow server
	// takes that many places from others.
	atOnce    = 8
	perTenant = 2

	// postTimeout is how long one try may take, from the name to the end of the answer.
	postTimeout = 15 * time.Second
	// maxRead is how much a server may send, with what TLS needs, and maxAnswer how much of it is looked at.
	maxRead   = 512 << 10
	maxAnswer = 16 << 10

	// apart is the time between two states of one sync: those between the first and the last are overtaken.
	apart = 2 * time.Second
	// A state that could not be sent is tried again after firstPause, and then ever later up to longestPause. A server may ask
	// for another time, up to maxRetryAfter. After patience it is given up.
	firstPause    = 2 * time.Second
	longestPause  = 5 * time.Minute
	maxRetryAfter = 15 * time.Minute
	patience      = time.Hour

	// maxSyncs is how many syncs are remembered. One that was forgotten may be told the same again.
	maxSyncs = 1 << 14

	// maxDescription is how long a description may be: the least that servers take. maxContext is the same of contexts.
	maxDescription = 140
	maxContext     = 255
)
