package audit

// The places of deliveries in right.
const (
	tenants = iota
	platforms
	automatic
)

func delivery(place int, change func(*Delivery)) func(*Input) {
	return func(in *Input) { change(&in.Deliveries[place]) }
}

func granted(place int, g Grant) func(*Input) {
	return delivery(place, func(d *Delivery) { d.Grants = []Grant{g} })
}

// deliveryClaims are about what follows repositories.
var deliveryClaims = map[string]claim{
	"ClusterAdmin": {
		"D1", "Whoever may push is the administrator of everything.",
		granted(tenants, Grant{Binding: `ClusterRoleBinding "oops"`, Role: `ClusterRole "cluster-admin"`, Everything: true, Elsewhere: true}),
		SeverityCritical, `ServiceAccount "gitsync", which ClusterRoleBinding "oops" binds to ClusterRole "cluster-admin"`,
	},
	"ImagePolicyToo": {
		"D1", "It patches containers as the account.",
		granted(automatic, Grant{Binding: `ClusterRoleBinding "oops"`, Role: `ClusterRole "cluster-admin"`, Everything: true, Elsewhere: true}),
		SeverityCritical, "cluster-admin",
	},
	"OtherNamespaces": {
		"D1", "It is in another tenant's namespace.",
		granted(tenants, Grant{Binding: `RoleBinding "globex/x"`, Role: `ClusterRole "dogker-tenant-developer"`, Elsewhere: true}),
		SeverityHigh, "outside of its namespace",
	},
	"Owner": {
		"D1", "An owner may make accounts and tokens.",
		granted(tenants, Grant{Binding: `RoleBinding "acme/dogker-tenant-owner"`, Role: `ClusterRole "dogker-tenant-owner"`}),
		SeverityMedium, "more than developers have",
	},
	"PlatformIsAdministrator": {
		"D1", "The platform's own repository needs much, and not everything.",
		granted(platforms, Grant{Binding: `ClusterRoleBinding "platform"`, Role: `ClusterRole "cluster-admin"`, Everything: true, Elsewhere: true}),
		SeverityMedium, "whoever may push is the administrator",
	},
	"PlatformUnsigned": {
		"D2", "The Git server decides what the platform is.", delivery(platforms, func(d *Delivery) { d.Verified = false }),
		SeverityAdvice, "whoever made it",
	},
	"Plain":         {"D3", "Whoever is on the way decides.", delivery(tenants, func(d *Delivery) { d.URL = "http://git.example/shop" }), SeverityMedium, "http://git.example/shop"},
	"PlainSigned":   {"D3", "Nobody can change what is signed.", delivery(platforms, func(d *Delivery) { d.URL = "http://git.example/shop" }), SeverityLow, "though signed"},
	"PlainPlatform": {"D3", "It is the platform that is decided.", delivery(platforms, func(d *Delivery) { d.URL, d.Verified = "HTTP://git.example/shop", false }), SeverityHigh, "in the clear"},
}
