-- name: create_tables#
CREATE TABLE IF NOT EXISTS documents (
    number INTEGER PRIMARY KEY,
    root INTEGER NOT NULL,
    path TEXT NOT NULL,
    size INTEGER NOT NULL,
    modified_ns INTEGER NOT NULL,
    digest BLOB NOT NULL,          -- SHA-256 of the file
    category TEXT NOT NULL,
    document_id TEXT NOT NULL,
    title TEXT NOT NULL,
    description TEXT NOT NULL,
    problem TEXT,
    tokens INTEGER NOT NULL,       -- of the text that is loaded, by o200k_base
    outline BLOB NOT NULL,         -- its sections
    UNIQUE (root, path),
    UNIQUE (category, document_id)
);
-- The sums of the library and its categories, without reading the outlines: each answer asks.
CREATE INDEX IF NOT EXISTS documents_by_category ON documents (category, tokens);
CREATE TABLE IF NOT EXISTS left_out (
    root INTEGER NOT NULL,
    path TEXT NOT NULL,
    size INTEGER,
    modified_ns INTEGER,
    reason TEXT NOT NULL,
    digest BLOB,                   -- SHA-256 of the file, where it was read
    PRIMARY KEY (root, path)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS library (
    fingerprint TEXT NOT NULL
);

-- name: known_files
SELECT root, path, size, modified_ns, category, document_id FROM documents;

-- name: known_left_out
SELECT root, path, size, modified_ns, reason FROM left_out;

-- name: left_out_row^
SELECT reason, digest FROM left_out WHERE root = :root AND path = :path;

-- name: file_row^
SELECT number, size, modified_ns, digest FROM documents WHERE root = :root AND path = :path;

-- name: address_row^
SELECT number, root, path FROM documents
WHERE category = :category AND document_id = :document_id;

-- name: insert_document<!
INSERT INTO documents (root, path, size, modified_ns, digest, category, document_id, title,
    description, problem, tokens, outline)
VALUES (:root, :path, :size, :modified_ns, :digest, :category, :document_id, :title,
    :description, :problem, :tokens, :outline);

-- name: touch_document!
UPDATE documents SET size = :size, modified_ns = :modified_ns WHERE number = :number;

-- name: delete_document!
DELETE FROM documents WHERE number = :number;

-- name: insert_left_out!
INSERT INTO left_out (root, path, size, modified_ns, reason, digest)
VALUES (:root, :path, :size, :modified_ns, :reason, :digest)
ON CONFLICT (root, path) DO UPDATE SET size = excluded.size, modified_ns = excluded.modified_ns,
    reason = excluded.reason, digest = excluded.digest;

-- name: delete_left_out!
DELETE FROM left_out WHERE root = :root AND path = :path;

-- name: left_out
SELECT root, path, reason FROM left_out ORDER BY root, path LIMIT :limit;

-- name: missing_roots
SELECT root, path, reason FROM left_out WHERE path = '' ORDER BY root;

-- name: left_out_reason$
SELECT reason FROM left_out WHERE path = :path LIMIT 1;

-- name: problems
SELECT root, path, problem FROM documents WHERE problem IS NOT NULL ORDER BY root, path
LIMIT :limit;

-- name: categories
SELECT category, COUNT(*), SUM(tokens) FROM documents GROUP BY category ORDER BY category;

-- name: library_size^
SELECT COUNT(*), COALESCE(SUM(tokens), 0) FROM documents;

-- name: digests
SELECT category, document_id, digest FROM documents ORDER BY category, document_id;

-- name: fingerprint$
SELECT fingerprint FROM library;

-- name: save_fingerprint*!
INSERT INTO library (fingerprint) VALUES (:fingerprint);

-- name: forget_fingerprint!
DELETE FROM library;

-- name: document^
SELECT number, root, path, digest, category, document_id, title, description, tokens, outline
FROM documents WHERE category = :category AND document_id = :document_id;

-- name: document_by_number^
SELECT number, root, path, digest, category, document_id, title, description, tokens, outline
FROM documents WHERE number = :number;

-- name: documents_of
SELECT number, root, path, digest, category, document_id, title, description, tokens, outline
FROM documents WHERE category = :category ORDER BY document_id LIMIT :limit OFFSET :skip;

-- name: ids_from
SELECT document_id FROM documents
WHERE category = :category AND document_id >= :start AND document_id < :stop
ORDER BY document_id LIMIT :limit;

-- name: all_ids
SELECT category, document_id FROM documents ORDER BY category, document_id LIMIT :limit;
