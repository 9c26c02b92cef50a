package dynamostore

import "github.com/gatehouse-auth/gatehouse/internal/table"

// Over returns the store over another engine.
func Over(t table.Table) *Store { return &Store{t} }
