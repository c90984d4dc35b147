// Package lab gives tests private Docker engines: a swarm of one node or three on the machine that the test runs on,
// fresh each time, and gone afterwards.
//
//	                    namespace of the lab's switch
//	            ┌──────────────── br0 ────────────────┐
//	            p1                p2                  p3        Cut and Heal act here
//	            │                 │                   │
//	namespace of node 1     …of node 2          …of node 3
//	eth0 10.200.0.1         10.200.0.2          10.200.0.3
//	dockerd ◄── unix socket in the lab's directory ──► test
//
// Nothing of a lab is visible to the machine's own network, so labs run side by side with the same addresses, ports and
// names. A port that a container publishes is reached from inside the node's namespace: Node.HTTPClient, Node.Dial.
//
// A lab belongs to a process. Its name carries that process's id and start time, and all it makes in the kernel carries
// that name: namespaces, cgroups, mounts, directory. So whoever comes later can tell a lab whose owner is dead, and
// removes it. A helper process does so at once when the owner is killed; the next lab does so when the helper was killed
// too. Processes of a lab are found by their cgroup and killed by their id, never by name.
//
// The package needs root, Linux, dockerd, ip, nsenter and iptables. When one is missing tests fail and say so: a test
// that is skipped proves nothing.
package lab
