package swarmobj

import "time"

// Inventory is everything in Swarm that carries our labels, as the read cache knows it.
type Inventory struct {
	Services                   []Item
	Secrets, Configs, Networks []Item
	// Referenced are the names of secrets and configs that a service refers to, in its spec or in the one before, to
	// which Swarm may go back by itself.
	Referenced map[string]bool
}

// Item is one object of ours in Swarm.
type Item struct {
	ID, Name string
	Owner    Owner
	Created  time.Time
}
