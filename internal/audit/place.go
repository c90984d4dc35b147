package audit

// placeCheck is a check of one thing of which there is one: the host, the engine, the swarm.
type placeCheck struct {
	id, section, title string
	judge              func(*Input) verdict
	// right is what there should be, and remedy how to get there.
	right, remedy string
}

// on is what the check has to say of the object.
func (k placeCheck) on(o Object, in *Input) Check {
	c := Check{ID: k.id, Section: k.section, Title: k.title}
	c.note(&o, k.judge(in), k.right, k.remedy)

	return c
}

// blind is what the check has to say when the object cannot be looked at.
func (k placeCheck) blind(why string) Check {
	c := Check{ID: k.id, Section: k.section, Title: k.title}
	c.note(nil, unseen("%s", why), "", "")

	return c
}
