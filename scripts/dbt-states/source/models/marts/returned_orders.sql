select order_id, landed_at
from {{ source('warehouse', 'returns') }}
