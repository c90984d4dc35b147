// Package estimate is what `dogker estimate` does: it reads TenantContainers and Volumes from YAML and says what an hour, a
// day and a month of them would cost by a list of prices, before anybody has to pay.
//
// What is counted is what is charged: what Swarm sets aside for each task and the task itself, while it runs by its schedule, and the size
// of each Volume. Where the plan of the tenant is
// known, its defaults are filled in as admission would. It asks nobody; who calls it brings prices and plan.
//
// Callers: cmd. It must not import controllers.
package estimate
