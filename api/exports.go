package api

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humagin"
	"github.com/google/uuid"

	"muster"
	"muster/exports"
	"muster/problem"
)

// exportBody is an export as people see it.
type exportBody struct {
	ID        string          `json:"id"`
	Status    exports.Status  `json:"status" enum:"queued,running,done,failed"`
	Request   exports.Request `json:"request"`
	Rows      uint64          `json:"rows"`
	Files     []exports.File  `json:"files"`
	Manifest  string          `json:"manifest,omitempty" doc:"the file that describes the dataset, when it is done"`
	Error     string          `json:"error,omitempty" doc:"why it failed"`
	CreatedAt time.Time       `json:"created_at"`
	UpdatedAt time.Time       `json:"updated_at"`
}

func newExportBody(e exports.Export) exportBody {
	body := exportBody{
		ID: e.ID.String(), Status: e.Status, Request: e.Request, Rows: e.Rows, Files: e.Files, Error: e.Error,
		CreatedAt: e.CreatedAt, UpdatedAt: e.UpdatedAt,
	}
	if e.Status == exports.Done {
		body.Manifest = exports.ManifestName
	}
	if body.Files == nil {
		body.Files = []exports.File{}
	}
	return body
}

type exportOutput struct{ Body exportBody }

type exportPath struct {
	ID string `path:"id"`
}

// exportID reads the id of an export; what is none names no export.
func exportID(text string) (uuid.UUID, error) {
	id, err := uuid.Parse(text)
	if err != nil {
		return id, &muster.Error{Code: muster.NotFound, Detail: "there is no export " + text + " in this project"}
	}
	return id, nil
}

func (s *server) registerExports(api huma.API) {
	post(s, api, "/exports", "Export a dataset", func(ctx context.Context, in *struct {
		Body struct {
			Dataset    string   `json:"dataset" doc:"members"`
			Segment    string   `json:"segment"`
			Attributes []string `json:"attributes,omitempty" doc:"columns besides the ids, in this order"`
			Format     string   `json:"format,omitempty" doc:"parquet"`
		}
	}) (*exportOutput, error) {
		project := projectOf(ctx)
		if in.Body.Segment != "" {
			if _, err := s.Segments.Get(ctx, project.ID, in.Body.Segment); err != nil {
				return nil, err
			}
		}
		e, err := s.Exports.Create(ctx, project.ID, exports.Request{
			Dataset: in.Body.Dataset, Segment: in.Body.Segment, Attributes: in.Body.Attributes, Format: in.Body.Format,
		})
		if err != nil {
			return nil, err
		}
		return &exportOutput{newExportBody(e)}, nil
	}, status(http.StatusAccepted))
	get(s, api, "/exports", "List the exports, the newest first", func(ctx context.Context, in *struct {
		Limit int `query:"limit" minimum:"1" maximum:"1000" default:"100"`
	}) (*struct {
		Body struct {
			Exports []exportBody `json:"exports"`
			Next    *string      `json:"next"`
		}
	}, error) {
		out := &struct {
			Body struct {
				Exports []exportBody `json:"exports"`
				Next    *string      `json:"next"`
			}
		}{}
		out.Body.Exports = []exportBody{}
		all, err := s.Exports.List(ctx, projectOf(ctx).ID, in.Limit)
		if err != nil {
			return nil, err
		}
		for _, e := range all {
			out.Body.Exports = append(out.Body.Exports, newExportBody(e))
		}
		return out, nil
	})
	get(s, api, "/exports/{id}", "Read how far an export is", func(ctx context.Context, in *exportPath) (*exportOutput, error) {
		id, err := exportID(in.ID)
		if err != nil {
			return nil, err
		}
		e, err := s.Exports.Get(ctx, projectOf(ctx).ID, id)
		if err != nil {
			return nil, err
		}
		return &exportOutput{newExportBody(e)}, nil
	})
	get(s, api, "/exports/{id}/files/{name}", "Download a file of an export, whole or in ranges", func(ctx context.Context, in *struct {
		ID   string `path:"id"`
		Name string `path:"name"`
	}) (*huma.StreamResponse, error) {
		id, err := exportID(in.ID)
		if err != nil {
			return nil, err
		}
		f, file, err := s.Exports.Open(ctx, projectOf(ctx).ID, id, in.Name)
		if err != nil {
			return nil, err
		}
		return &huma.StreamResponse{Body: func(hc huma.Context) {
			defer f.Close()
			g := humagin.Unwrap(hc)
			info, err := f.Stat()
			if err != nil {
				problem.Write(g.Writer, err)
				return
			}
			g.Header("Content-Type", "application/octet-stream")
			g.Header("Content-Disposition", `attachment; filename="`+file.Name+`"`)
			if file.SHA256 != "" {
				g.Header("ETag", `"`+file.SHA256+`"`)
			}
			http.ServeContent(g.Writer, g.Request, file.Name, info.ModTime(), f)
		}}, nil
	})
}
