package audit

// blindSpot is something that the benchmark, or a rule of ours, asks for and the audit does not look at.
type blindSpot struct {
	id, section, title, why string
}

// blindSpots are all of them, so that nobody takes silence for a pass.
var blindSpots = []blindSpot{
	{"1.1.3-1.1.18", sectionHost, "The kernel's audit log watches the engine and its files", "neither the engine nor Dogker knows the rules of auditd: auditctl -l, on every node"},
	{"1.2.1", sectionHost, "The host is hardened", "it is the subject of the benchmark of its distribution"},
	{"1.2.2", sectionHost, "The engine is up to date", "which version is the last, only its maker knows; the report names the one that runs"},
	{"2.4", sectionDaemon, "The engine may change iptables", "the engine does not tell: see that \"iptables\": false is not in daemon.json"},
	{"2.8", sectionDaemon, "Default ulimits are set", "the engine does not tell: see \"default-ulimits\" in daemon.json"},
	{"2.10", sectionDaemon, "The engine's control group is its own", "the engine does not tell: see that \"cgroup-parent\" is not in daemon.json. Check 5.25 looks at each container"},
	{"2.16", sectionDaemon, "The userland proxy is off", "the engine does not tell: set \"userland-proxy\": false in daemon.json"},
	{"3.7-3.14", sectionFiles, "Certificates belong to root and are closed to others", "where they are, only the engine's command line says: stat them on every node"},
	{"4.2-4.12", sectionImages, "Images are built with care", "the audit looks at what runs, not at how it was built; images.signatures of a Plan lets only images run that somebody has vouched for"},
	{"5.23", sectionContainers, "Nobody used exec with --privileged", "the engine keeps no record: the kernel's audit log does. Dogker itself executes nothing in containers"},
	{"5.24", sectionContainers, "Nobody used exec as root", "the engine keeps no record: the kernel's audit log does. Dogker itself executes nothing in containers"},
	{"6.1-6.2", sectionOperations, "Images and containers that nobody needs are removed", "what is needed, only its owner knows: docker image prune, docker container prune"},
	{"7.6", sectionSwarm, "The key of locked managers is renewed", "the manager does not tell when that was: docker swarm unlock-key --rotate"},
	{"7.9", sectionSwarm, "Traffic of containers is apart from that of managers", "the engine does not tell --data-path-addr"},
	{"G4", sectionProfiles, "No field is set that no rule knows", "admission alone sees a field that this binary does not know"},
}

func notLookedAt() []Check {
	var checks []Check
	for _, b := range blindSpots {
		c := Check{ID: b.id, Section: b.section, Title: b.title}
		c.note(nil, unseen("%s", b.why), "", "")
		checks = append(checks, c)
	}

	return checks
}
