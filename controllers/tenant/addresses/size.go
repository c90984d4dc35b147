package addresses

import (
	"math/bits"
	"net/netip"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
)

// lowShare is the part of a subnet, in percent, from which on people are told that it fills up. A subnet that is sized
// for its quota stays below it.
const lowShare = 70

// reserved addresses of a subnet are no container's: its first and its last one, and the gateway.
const reserved = 3

// newNodes is how many nodes more than there are now a subnet has room for. Each node with a task takes an address.
const newNodes = 16

// Bits is the length of the prefix of a subnet that has room for all that the quota allows, on a swarm of that many
// nodes: each task twice, because a rollout starts the new one before it stops the old one, and a virtual IP for each
// container. A quota that does not limit replicas gets 250 addresses.
func Bits(q v1alpha1.Quota, nodes int) int {
	const unlimited = 24

	if q.Replicas == nil {
		return unlimited
	}

	// No container runs without a replica, so they bound the virtual IPs, too.
	containers := *q.Replicas
	if q.Containers != nil {
		containers = min(containers, *q.Containers)
	}

	need := 2**q.Replicas + containers + int64(nodes) + newNodes
	size := need*100/lowShare + 1 + reserved

	return min(max(32-bits.Len64(uint64(size-1)), Largest), Smallest) //nolint:gosec // a positive number
}

// Usable is how many addresses of the subnet containers can have.
func Usable(subnet netip.Prefix) int {
	return max(1<<(32-subnet.Bits())-reserved, 0)
}

// Low is true when so many of the addresses are used that somebody should know.
func Low(used, usable int) bool {
	return used*100 >= usable*lowShare
}
