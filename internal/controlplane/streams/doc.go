// Package streams lets people look into pods: `kubectl logs`, `exec`, `attach`, `port-forward`, and the proxies of pods and
// nodes. It plays the part that API server and kubelet share in Kubernetes.
//
//	client ── WebSocket, SPDY, HTTP ──► streams ──► fleet.Runtime ──► engine of the container's node
//	                                       │
//	                                       └─ logs of nodes without an agent ──► the swarm's managers
//
// The protocols are Kubernetes' own code: wsstream and spdy of k8s.io/streaming, cri-streaming, which is what kubelets serve
// port-forwards with, and the tunnel of k8s.io/apiserver. What is here is who may, which container that is, how much of a client
// is taken into memory, and when it ends.
//
// What holds:
//   - A pod is looked up by namespace and name together. What is not shown in a namespace cannot be reached from there, and
//     no request says where to connect to: only a port, which is one of that container.
//   - Whoever opens a stream to a process may create it, also where the protocol calls that a GET.
//   - Each stream has a place among those of its namespace, which is given back when either side has gone, when nothing has
//     moved for too long, or when the server stops.
//   - What people type and what comes back is written down nowhere. The audit log says who opened what.
//
// Callers: internal/controlplane. It imports internal/fleet for its interface, and must not import controllers.
package streams
