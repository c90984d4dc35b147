package policy

// judge looks at one concern of the spec.
type judge func(*check)

// rule says what each profile demands of one concern; a profile without a judge demands nothing.
type rule struct {
	id                               string
	restricted, baseline, privileged judge
}

// rules are in the order in which their refusals are listed. The ids are those of the table in docs/guides/security.md.
// What a field of Swarm could do and TenantContainer does not have (bind mounts, networks, log drivers that connect out
// …) is refused by the schema, and has no row.
var rules = []rule{
	{id: "I1", restricted: registries, baseline: registries, privileged: registriesOfPlan},
	{id: "I2", restricted: askRegistry, baseline: askRegistry},
	{id: "C1", restricted: noCapabilities, baseline: fewCapabilities},
	{id: "C3", restricted: noSysctls},
	{id: "C4", restricted: noUlimits, baseline: filesOnly},
	{id: "U1", restricted: nobodyInParticular},
	{id: "M4", restricted: mountTargets, baseline: mountTargets},
	{id: "M5", restricted: quarterOfMemory, baseline: allOfMemory},
	{id: "S2", restricted: fileTargets, baseline: fileTargets},
	{id: "L1", restricted: boundedLogs, baseline: boundedLogs},
	{id: "N3", restricted: leasedPorts, baseline: highPorts, privileged: portsOfTenant},
	{id: "N4", restricted: noHosts, baseline: noHosts},
	{id: "P1", restricted: publicPlaces, baseline: anyLabel},
	{id: "P2", restricted: replicated, baseline: replicated},
	{id: "R1", restricted: bounded, baseline: bounded, privileged: maxima},
	{id: "R2", restricted: slowRestarts, baseline: slowRestarts},
	{id: "R3", restricted: slowChecks, baseline: slowChecks},
	{id: "R4", restricted: smallSteps, baseline: smallSteps},
	{id: "R5", restricted: quickStop},
	{id: "B1", restricted: plainLabels, baseline: plainLabels},
	{id: "Q1", restricted: replicasOfProfile, baseline: replicasOfProfile, privileged: replicasOfPlan},
	{id: "Q2", restricted: sizes, baseline: sizes},
}

// RuleIDs are the ids of all rules, in their order.
func RuleIDs() []string {
	ids := make([]string, len(rules))
	for i, r := range rules {
		ids[i] = r.id
	}

	return ids
}
