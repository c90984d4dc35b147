package swarmobj

import "strconv"

// podIDLength is how much of an ID tells tasks of one slot apart: 36^10 of them.
const podIDLength = 10

// PodName is the name by which the API shows a task: that of its container, its slot, and the beginning of its ID, since
// Swarm never runs a task twice. A task of a global service, which has no slot, has its node's ID there.
func PodName(o Owner, slot int, node, task string) string {
	place := strconv.Itoa(slot)
	if slot == 0 {
		place = prefix(node)
	}

	return o.Name + "-" + place + "-" + prefix(task)
}

func prefix(id string) string { return id[:min(len(id), podIDLength)] }
