package webhook

import "time"

// What one stranger, and all of them together, can make this server do.
const (
	// addressBurst requests may come from one address at once, and one each addressInterval after that. Those with a good
	// signature do not count: Midtrans sends from few addresses.
	addressBurst    = 30
	addressInterval = 2 * time.Second

	// orderBurst notifications may come for one order at once, and one each orderInterval after that. Whoever has one good
	// signature can make many different bodies with it.
	orderBurst    = 30
	orderInterval = 10 * time.Second

	// atOnce is how many notifications are checked and kept at the same time. Reading them is not part of it, so that
	// slow senders take no place from others.
	atOnce = 32

	// putTimeout is how long the store may take. Midtrans waits for fifteen seconds and wants an answer in five.
	putTimeout = 4 * time.Second

	// Times and sizes of the server. A connection carries one request, and lives at most as long as both timeouts.
	maxConnections    = 512
	readHeaderTimeout = 5 * time.Second
	readTimeout       = 10 * time.Second
	writeTimeout      = 15 * time.Second
	maxHeaderBytes    = 16 << 10
	shutdownTimeout   = 10 * time.Second
)
