package audit

import (
	"crypto/x509"
	"encoding/pem"
	"strings"
	"time"

	"github.com/docker/docker/api/types/swarm"
)

const (
	// longestCertificate is how long a node may be somebody without being asked again. It is Swarm's default.
	longestCertificate = 90 * 24 * time.Hour
	// oldestRoot is how old the root of all certificates may be.
	oldestRoot = 365 * 24 * time.Hour
	// mostManagers is the number beyond which more of them agree more slowly, and no more safely.
	mostManagers = 7
)

// swarmChecks are about the swarm as a whole.
var swarmChecks = []placeCheck{
	{
		id: "5.1", section: sectionContainers, title: "Swarm mode is on only where it is needed", judge: swarmNeeded,
		right: "no swarm where nothing runs on it", remedy: "docker swarm leave --force",
	},
	{
		id: "7.1", section: sectionSwarm, title: "There are no more managers than needed", judge: fewManagers,
		right: "1, 3, 5 or 7 managers: of an even number, one adds nothing but somebody who can be broken into", remedy: "docker node demote NODE",
	},
	{
		id: "7.2", section: sectionSwarm, title: "Managers listen on one host interface", judge: oneInterface,
		right: "the address by which the nodes reach each other", remedy: "make the swarm again with docker swarm init --listen-addr ADDRESS, or keep others from port 2377 by a firewall",
	},
	{
		id: "7.5", section: sectionSwarm, title: "Managers are locked", judge: autoLocked,
		right:  "a key that is needed to start a manager again: without it, a copy of its disk holds all secrets",
		remedy: "docker swarm update --autolock=true, and keep the key elsewhere: every start of a manager needs it",
	},
	{
		id: "7.7", section: sectionSwarm, title: "Certificates of nodes are renewed", judge: certificatesRenewed,
		right: "certificates of at most 90 days", remedy: "docker swarm update --cert-expiry 2160h",
	},
	{
		id: "7.8", section: sectionSwarm, title: "The CA of the swarm is renewed", judge: rootRenewed,
		right: "a CA that is less than a year old", remedy: "docker swarm ca --rotate",
	},
}

func swarmSection(in Input) []Check {
	var checks []Check
	for _, k := range swarmChecks {
		if in.Swarm == nil {
			checks = append(checks, k.blind(in.SwarmUnseen))

			continue
		}
		checks = append(checks, k.on(Object{Kind: KindSwarm, Name: in.Swarm.Cluster.ID}, &in))
	}

	return append(checks, encryption(in), drained(in))
}

func swarmNeeded(in *Input) verdict {
	return faultIf(len(in.Workloads) == 0 && len(in.Declared) == 0 && in.DeclaredUnseen != "", SeverityLow,
		"there is a swarm, nothing runs on it, and no API of Dogker was found that would use it")
}

func fewManagers(in *Input) verdict {
	managers := 0
	for _, n := range in.Swarm.Nodes {
		if n.Spec.Role == swarm.NodeRoleManager {
			managers++
		}
	}

	return faultIf(managers%2 == 0 || managers > mostManagers, SeverityLow, "there are %d managers", managers)
}

func oneInterface(in *Input) verdict {
	if in.Host == nil {
		return unseen("%s", in.HostUnseen)
	}
	if len(in.Host.ListenAddresses) == 0 {
		return unseen("nothing was found to listen on port 2377 where the engine is")
	}

	for _, a := range in.Host.ListenAddresses {
		if a == "0.0.0.0" || a == "::" {
			return fault(SeverityLow, "the manager listens on every address of the node (%s)", a)
		}
	}

	return passes()
}

func autoLocked(in *Input) verdict {
	return faultIf(!in.Swarm.Cluster.Spec.EncryptionConfig.AutoLockManagers, SeverityMedium, "managers start without a key: what is on their disks can be read by who has them")
}

func certificatesRenewed(in *Input) verdict {
	d := in.Swarm.Cluster.Spec.CAConfig.NodeCertExpiry

	return faultIf(d > longestCertificate, SeverityLow, "certificates of nodes are good for %d days", int(d.Hours()/24))
}

func rootRenewed(in *Input) verdict {
	block, _ := pem.Decode([]byte(in.Swarm.Cluster.TLSInfo.TrustRoot))
	if block == nil {
		return unseen("the manager does not tell its CA")
	}
	root, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return unseen("the certificate of its CA cannot be read: %v", err)
	}

	return faultIf(in.Now.Sub(root.NotBefore) > oldestRoot, SeverityLow, "the CA is of %s", root.NotBefore.UTC().Format(time.DateOnly))
}

const encryptionID = "7.3"

// encryption looks at every overlay network. Between containers of one node nothing leaves it.
func encryption(in Input) Check {
	c := Check{ID: encryptionID, Section: sectionSwarm, Title: "Overlay networks are encrypted"}

	switch {
	case in.Swarm == nil:
		c.note(nil, unseen("%s", in.SwarmUnseen), "", "")
	case len(in.Swarm.Nodes) < 2:
		c.note(nil, notApplicable("the swarm has one node, and nothing leaves it"), "", "")
	case len(in.Networks) == 0:
		c.note(nil, notApplicable("there is no overlay network"), "", "")
	default:
		for _, n := range in.Networks {
			remedy := "make it again with docker network create --driver overlay --opt encrypted"
			if n.Object.Owner == OwnerDogker {
				remedy = "set spec.network.encrypted of the tenant's Plan before the network is made, or let the nodes reach each other through a network that encrypts (WireGuard, IPsec)"
			}
			c.note(&n.Object, faultIf(!n.Encrypted, SeverityMedium, "what its containers say to each other crosses between nodes in the clear"),
				"encryption between nodes", remedy)
		}
	}

	return c
}

const drainedID = "H4"

// drained looks at managers: what runs on one is next to the keys of the swarm. A swarm that has no workers has no choice.
func drained(in Input) Check {
	c := Check{ID: drainedID, Section: sectionSwarm, Title: "Managers run no tasks where there are workers"}
	if in.Swarm == nil {
		c.note(nil, unseen("%s", in.SwarmUnseen), "", "")

		return c
	}

	var managers []swarm.Node
	for _, n := range in.Swarm.Nodes {
		if n.Spec.Role == swarm.NodeRoleManager {
			managers = append(managers, n)
		}
	}
	if len(managers) == len(in.Swarm.Nodes) {
		c.note(nil, notApplicable("the swarm has no workers"), "", "")

		return c
	}

	for _, n := range managers {
		o := Object{Kind: KindNode, Name: n.Description.Hostname}
		c.note(&o, faultIf(n.Spec.Availability == swarm.NodeAvailabilityActive, SeverityMedium, "it is a manager, and takes tasks"),
			"managers that are drained", "docker node update --availability drain "+strings.TrimSpace(o.Name))
	}

	return c
}
