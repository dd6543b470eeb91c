package segments

import (
	"context"

	"muster/clickhouse"
	"muster/projects"
	"muster/queries"
)

// Compiled is what a definition is to ClickHouse.
type Compiled struct {
	Statement queries.Statement // that counts
	Preview   queries.Statement // that a preview would count with at first
	Outline   queries.Outline
	Estimates []Estimate // of the outline's sources
	Scope     queries.Scope
}

// Estimate is how much of its table a source has to look at, by the table's index. What a scan really reads may be less.
type Estimate struct {
	Parts, Rows, Marks uint64
}

// SQL compiles a definition, and runs nothing of it.
func (e *Evaluator) SQL(ctx context.Context, project projects.Project, d queries.Definition, at At) (Compiled, error) {
	plan, scope, err := e.compile(ctx, project, d, at)
	if err != nil {
		return Compiled{}, err
	}
	presumption := plan.Presume(0, e.apart.told(at.asks(project.ID)))
	c := Compiled{Statement: plan.Counts(0), Preview: presumption.Statement, Outline: plan.Outline(), Scope: scope}
	c.Estimates, err = e.estimate(ctx, plan)
	return c, err
}

// estimate asks the indexes how much a plan's sources are.
func (e *Evaluator) estimate(ctx context.Context, plan *queries.Plan) ([]Estimate, error) {
	estimates := make([]Estimate, plan.Sources())
	if len(estimates) == 0 {
		return estimates, nil
	}
	statement := plan.Estimate()
	rows, err := e.db.Query(clickhouse.WithParameters(ctx, statement.Parameters), statement.SQL)
	if err != nil {
		return nil, failed(ctx, "estimate", err)
	}
	defer rows.Close()
	for rows.Next() {
		var source uint16
		var table string
		var part Estimate
		if err := rows.Scan(&source, &table, &part.Parts, &part.Rows, &part.Marks); err != nil {
			return nil, failed(ctx, "estimate", err)
		}
		of := &estimates[source]
		of.Parts, of.Rows, of.Marks = of.Parts+part.Parts, of.Rows+part.Rows, of.Marks+part.Marks
	}
	return estimates, rows.Err()
}
