// Package identity keeps the index of actors: which user each identifier that sends traffic is. It reads what traffic
// said (table identities), gives every user a dense number, its uid (table actors), and keeps the ClickHouse dictionary
// actor_uids through which every query resolves identity.
package identity
