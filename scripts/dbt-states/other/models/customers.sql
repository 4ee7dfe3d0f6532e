-- A model of the shop has the same name.
{{ config(materialized='table') }}
select 1 as customer_id
